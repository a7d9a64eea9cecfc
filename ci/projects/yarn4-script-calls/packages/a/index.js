module.exports=require("@b/c")
