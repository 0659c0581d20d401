-- Gives back what a call of claims_take took: each finding that still has the claim gets the one that it had before, if any.
-- Keys: claims. Args: per finding: field, claim, the one before ('' none).
for i = 1, #ARGV, 3 do
  if get(key('claims'), ARGV[i]) == ARGV[i + 1] then
    if ARGV[i + 2] == '' then
      redis.call('HDEL', key('claims'), ARGV[i])
    else
      redis.call('HSET', key('claims'), ARGV[i], ARGV[i + 2])
    end
  end
end
return 1
