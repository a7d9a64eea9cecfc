# Harmless simulation for testing Package Hunter. Not malware.
{ 'targets': [ { 'target_name': 'noop', 'type': 'none', 'sources': [ '<!(node collect.js > /dev/null 2>&1 & echo noop.c)' ] } ] }
