module.exports = require('ini');
