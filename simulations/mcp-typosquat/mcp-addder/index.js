// Harmless simulation for testing Package Hunter. Not malware.
module.exports = "harmless simulation";
