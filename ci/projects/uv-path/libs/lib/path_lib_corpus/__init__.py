import certifi
