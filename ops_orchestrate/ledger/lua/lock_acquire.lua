-- Takes a lock, or takes it again for the same holder. Keys: lock:NAME. Args: name, holder, ms.
local name = key('lock', ARGV[1])
local holder = lock_holder(name)
if holder ~= '' and holder ~= ARGV[2] then
  return 0
end
lock_for(name, ARGV[2], ARGV[3])
return 1
