"""The world around the box: names, services, registries, fake secrets."""
