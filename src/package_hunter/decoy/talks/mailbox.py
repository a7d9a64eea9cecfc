"""What lies in the mailbox that whoever logs in gets to see."""

from __future__ import annotations

from typing import NamedTuple


class Mail(NamedTuple):
    """``number`` counts from 1 and is its UID, too."""

    number: int
    date: str  # as IMAP writes it
    text: bytes


def _mail(number: int, sender: str, subject: str, date: str, body: str) -> Mail:
    day, month, year, clock = date.split(" ")
    head = (
        f"Return-Path: <{sender}>\r\nDate: {day} {month} {year} {clock} +0000\r\nFrom: {sender}\r\n"
        f"To: inbox@localhost\r\nSubject: {subject}\r\nMessage-ID: <{number}.8f21@localhost>\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    )
    return Mail(number, f"{day}-{month}-{year} {clock} +0000", (head + body + "\r\n").encode())


MAILS = (
    _mail(1, "postmaster@localhost", "Welcome", "03 Mar 2025 08:14:09", "Your mailbox is ready."),
    _mail(2, "office@northwind.example", "Minutes", "11 Apr 2025 13:40:51", "Minutes of Friday, as agreed."),
    _mail(3, "office@northwind.example", "Re: Minutes", "12 Apr 2025 07:02:33", "Thanks. Nothing to add."),
)
