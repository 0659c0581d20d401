-- Prolongs a lock that the holder still has. Keys: lock:NAME. Args: name, holder, ms.
local name = key('lock', ARGV[1])
if lock_holder(name) ~= ARGV[2] then
  return 0
end
lock_for(name, ARGV[2], ARGV[3])
return 1
