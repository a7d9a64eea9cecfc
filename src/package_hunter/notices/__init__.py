"""Where teams live: what happens is told by webhook, mail, chat and in their issue trackers."""
