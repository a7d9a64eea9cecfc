"""What decides for all: policies, changes that need two people, the gate."""
