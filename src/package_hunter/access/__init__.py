"""Who may do what, and where: permissions, roles, places. Values and pure functions; the store keeps who has what."""
