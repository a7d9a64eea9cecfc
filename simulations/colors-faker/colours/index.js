// Harmless simulation for testing Package Hunter. Not malware.
const start = Date.now();
let turns = 0;
// ends by itself after ten minutes, should anybody start it by hand
while (Date.now() - start < 600000) turns += 1;
module.exports = turns;
