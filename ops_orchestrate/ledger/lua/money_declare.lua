-- What a day's purse holds by the owner's word; what is reserved stays. Keys: money:PURSE. Args: purse, tokens, microdollars ('' as it is).
local name = key('money', ARGV[1])
redis.call('HSET', name, 'known', '1')
if ARGV[2] ~= '' then
  redis.call('HSET', name, 'tokens', ARGV[2], 'uncounted', '0', 'review_tokens', '0')
end
if ARGV[3] ~= '' then
  redis.call('HSET', name, 'micros', ARGV[3], 'unpriced', '0', 'review_micros', '0')
end
redis.call('EXPIRE', name, DAYS_KEPT)
return 1
