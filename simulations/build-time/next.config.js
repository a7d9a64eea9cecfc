// Harmless simulation for testing Package Hunter. Not malware.
module.exports = require("next-preset/config.js");
