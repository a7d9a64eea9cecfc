require('commander');
