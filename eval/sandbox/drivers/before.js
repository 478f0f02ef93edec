const require_ = require; require = name => name === 'js-md5' ? text => require_('crypto').createHash('md5').update(text).digest('hex') : require_(name);
