-- once
-- Learns how long attempts take: a moving average per repository, and over all under ''. Keys: lengths. Args: repository, seconds.
for _, field in ipairs({ ARGV[1], '' }) do
  local old = tonumber(redis.call('HGET', key('lengths'), field) or '')
  local new = number(ARGV[2])
  redis.call('HSET', key('lengths'), field, seconds(old and (0.7 * old + 0.3 * new) or new))
end
return 1
