-- What the living processes announced. Keys: hosts, hosts_until. Args: none.
local found = {}
for _, name in ipairs(redis.call('ZRANGEBYSCORE', key('hosts_until'), '(' .. STAMP, '+inf')) do
  found[#found + 1] = redis.call('HGET', key('hosts'), name) or nil
end
return found
