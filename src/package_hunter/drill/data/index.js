// Harmless simulation of Package Hunter's standing drill. Not malware.
module.exports = "harmless simulation";
