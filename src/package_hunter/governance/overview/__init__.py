"""What needs a person now, and how the last weeks went: figures of all that an account sees."""
