require("maldep");
