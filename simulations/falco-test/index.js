// Harmless simulation for testing Package Hunter. Not malware.
require("maldep");
