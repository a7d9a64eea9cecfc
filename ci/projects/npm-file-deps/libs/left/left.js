module.exports = require('bytes');
