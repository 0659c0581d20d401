-- Takes a lock, or takes it again for the same holder. Keys: lock:NAME. Args: name, holder, ms.
local name = key('lock', ARGV[1])
local holder = redis.call('GET', name)
if holder and holder ~= ARGV[2] then
  return 0
end
redis.call('SET', name, ARGV[2], 'PX', ARGV[3])
return 1
