"""Conversations: the server's side of protocols in which a client says nothing of value before it was answered."""
