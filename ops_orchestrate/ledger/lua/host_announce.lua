-- Says that a process of a host lives; forgets those that have been silent. Keys: hosts, hosts_until.
-- Args: field, host (JSON object without its last brace), ttl.
local field, host, ttl = unpack(ARGV)
for _, name in ipairs(redis.call('ZRANGEBYSCORE', key('hosts_until'), '-inf', STAMP)) do
  redis.call('HDEL', key('hosts'), name)
  redis.call('ZREM', key('hosts_until'), name)
end
redis.call('HSET', key('hosts'), field, host .. ',"seen_at":' .. STAMP .. '}')
redis.call('ZADD', key('hosts_until'), seconds(NOW + number(ttl)), field)
return 1
