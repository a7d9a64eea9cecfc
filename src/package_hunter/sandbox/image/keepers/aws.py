"""The command line of AWS (docs.aws.amazon.com/cli)."""

from __future__ import annotations

import json
import os
import re
import sys

from package_hunter.sandbox.image.keepers.common import content, fail, kept, option, plain, show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CREDENTIALS, CONFIG, CACHE = ".aws/credentials", ".aws/config", ".aws/cli/cache/parameters.json"
USAGE = """usage: aws [options] <command> <subcommand> [<subcommand> ...] [parameters]
To see help text, you can run:

  aws help
  aws <command> help
  aws <command> <subcommand> help
"""
VALUED = ("--profile", "--region", "--output", "--query", "--endpoint-url")


def section(text: str, name: str) -> dict[str, str]:
    """The settings of a profile."""
    body = re.split(r"^\[(?:profile )?([^\]]+)\]\s*$", text, flags=re.M)
    found = dict(zip(body[1::2], body[2::2]))  # noqa: B905 (older Pythons)
    return dict(re.findall(r"^(\w+)\s*=\s*(\S+)\s*$", found.get(name, ""), re.M))


def keys(profile: str | None) -> tuple[str, ...]:
    """The environment's before a profile's, as in all of AWS's tools."""
    if os.environ.get("AWS_ACCESS_KEY_ID") and profile is None:
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        return tuple(os.environ.get(name, "") for name in names)
    found = section(content(CREDENTIALS).decode("utf-8", "replace"), profile or "default")
    if not found:
        fail(f"\nThe config profile ({profile or 'default'}) could not be found", 255)
    return found.get("aws_access_key_id", ""), found.get("aws_secret_access_key", ""), ""


def account() -> str:
    return str(kept(CACHE, {}).get("account", "418273950627"))


def configure(rest: list[str], words: list[str], profile: str | None) -> None:
    verb = (rest or [""])[0]
    if verb == "export-credentials":
        key, secret, token = keys(profile)
        form = option(words, "--format") or "process"
        if form == "process":
            more = {"SessionToken": token} if token else {}
            show({"Version": 1, "AccessKeyId": key, "SecretAccessKey": secret, **more})
        else:
            start = "export " if form == "env" else ""
            values = [("ACCESS_KEY_ID", key), ("SECRET_ACCESS_KEY", secret), ("SESSION_TOKEN", token)]
            print("\n".join(f"{start}AWS_{name}={value}" for name, value in values if value))
    elif verb == "get":
        name = (rest[1:] or [""])[0]
        found = section(content(CONFIG).decode("utf-8", "replace"), profile or "default")
        if name.startswith("aws_"):
            found = section(content(CREDENTIALS).decode("utf-8", "replace"), profile or "default")
        print(found[name]) if name in found else sys.exit(1)
    elif verb == "list-profiles":
        print("default\nnorthwind-prod")


def sts(verb: str, profile: str | None) -> None:
    if verb == "get-caller-identity":
        keys(profile)
        user = {"UserId": "AIDAWCTZ3KJ5QXN7RHVEM", "Account": account()}
        show({**user, "Arn": f"arn:aws:iam::{account()}:user/dmeyer"}, 4)
    elif verb in ("get-session-token", "assume-role"):
        key, secret, _ = keys(profile)
        token = kept(CACHE, {}).get("session", "")
        given = {"AccessKeyId": key, "SecretAccessKey": secret, "SessionToken": token}
        show({"Credentials": {**given, "Expiration": "2031-01-01T00:00:00+00:00"}}, 4)


def parameter(name: str, value: str) -> dict[str, Any]:
    place = f"arn:aws:ssm:eu-central-1:{account()}:parameter{name}"
    return {
        "Name": name,
        "Type": "SecureString",
        "Value": value,
        "Version": 3,
        "ARN": place,
        "DataType": "text",
    }


def ssm(verb: str, words: list[str]) -> None:
    found = kept(CACHE, {}).get("parameters", {})
    if verb == "get-parameter":
        name = option(words, "--name") or ""
        if name not in found:
            fail("\nAn error occurred (ParameterNotFound) when calling the GetParameter operation: ", 254)
        show({"Parameter": parameter(name, found[name])}, 4)
    elif verb == "describe-parameters":
        show({"Parameters": [{"Name": name, "Type": "SecureString"} for name in found]}, 4)
    else:
        below = option(words, "--path")
        asked = (
            [name for name in found if name.startswith(below)] if below else [n for n in found if n in words]
        )
        show({"Parameters": [parameter(name, found[name]) for name in asked], "InvalidParameters": []}, 4)


def secretsmanager(verb: str, words: list[str]) -> None:
    found = {name.strip("/"): value for name, value in kept(CACHE, {}).get("parameters", {}).items()}
    if verb == "list-secrets":
        show({"SecretList": [{"Name": name} for name in found]}, 4)
    elif verb in ("get-secret-value", "batch-get-secret-value"):
        name = (option(words, "--secret-id") or "").strip("/")
        if name not in found:
            fail("\nAn error occurred (ResourceNotFoundException) when calling the GetSecretValue operation: "
                 "Secrets Manager can't find the specified secret.", 254)  # fmt: skip
        text = json.dumps({"password": found[name]})
        show({"Name": name, "SecretString": text, "VersionStages": ["AWSCURRENT"]}, 4)


def main(words: list[str]) -> None:
    """``aws WORDS``."""
    profile = option(words, "--profile") or os.environ.get("AWS_PROFILE") or None
    rest = plain(words, *VALUED)
    service, verb = [*rest, "", ""][:2]
    if service == "" and "--version" in words:
        print("aws-cli/2.22.35 Python/3.12.6 Linux/6.1.0-28-amd64 exe/x86_64.debian.12")
    elif service == "configure":
        configure(rest[1:], words, profile)
    elif service == "sts":
        sts(verb, profile)
    elif service == "ssm":
        ssm(verb, words)
    elif service == "secretsmanager":
        secretsmanager(verb, words)
    elif service == "s3" and verb == "ls":
        keys(profile)
        print("2024-05-14 09:31:07 northwind-backups\n2024-02-02 17:40:55 northwind-terraform-state")
    elif service in ("", "help"):
        print(USAGE, file=sys.stderr)
        sys.exit(0 if service else 252)
    else:
        keys(profile)
        denied = f"User: arn:aws:iam::{account()}:user/dmeyer is not authorized to perform: {service}:{verb}"
        fail(f"\nAn error occurred (AccessDenied) when calling the operation: {denied}", 254)


if __name__ == "__main__":
    main(sys.argv[1:])
