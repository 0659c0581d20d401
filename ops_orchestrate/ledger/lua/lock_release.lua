-- Gives a lock back, if the holder still has it. Keys: lock:NAME. Args: name, holder.
local name = key('lock', ARGV[1])
if lock_holder(name) ~= ARGV[2] then
  return 0
end
return redis.call('DEL', name)
