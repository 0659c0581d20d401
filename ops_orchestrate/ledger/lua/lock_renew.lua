-- Prolongs a lock that the holder still has. Keys: lock:NAME. Args: name, holder, ms.
local name = key('lock', ARGV[1])
if redis.call('GET', name) ~= ARGV[2] then
  return 0
end
redis.call('PEXPIRE', name, ARGV[3])
return 1
