module.exports = "harmless simulation";
