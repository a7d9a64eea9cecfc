// The honest twin of a harmless simulation for testing Package Hunter. Not malware.

const start = Date.now();
let turns = 0;
while (Date.now() - start < 2000) turns += 1;
module.exports = turns;
