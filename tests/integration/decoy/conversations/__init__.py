"""Conversations of stock clients, a row each: what is run in the box's network, and what the gateway must find."""
