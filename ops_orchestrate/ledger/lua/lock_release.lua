-- Gives a lock back, if the holder still has it. Keys: lock:NAME. Args: name, holder.
return give_lock_back(key('lock', ARGV[1]), ARGV[2])
