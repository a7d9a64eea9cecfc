"""Judge: findings and waivers become a decision."""
