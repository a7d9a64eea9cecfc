"""Who somebody is by the word of others: providers of people (OpenID Connect), and forges that vouch for CI jobs."""
