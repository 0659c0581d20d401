-- Takes a lock, or takes it again for the same holder. Keys: lock:NAME. Args: name, holder, ms.
return take_lock(key('lock', ARGV[1]), ARGV[2], ARGV[3])
