-- Keeps a parcel, unless its sender would have more here than he may. What has been forgotten counts no more.
-- Keys: parcel:REPO:OBJECT, parcels:SENDER. Args: repo, object, bundle, ttl, sender, bytes at most (0: any number).
-- Answers what the sender has here with it, in bytes as they are kept.
local repo, object_id, bundle, ttl, sender, most = unpack(ARGV)
local name, sizes = key('parcel', repo, object_id), key('parcels', sender)
local own = repo .. ':' .. object_id
local total = #bundle
local known = redis.call('HGETALL', sizes)
for i = 1, #known, 2 do
  if known[i] ~= own then
    if redis.call('EXISTS', key('parcel', known[i])) == 0 then
      redis.call('HDEL', sizes, known[i])
    else
      total = total + number(known[i + 1])
    end
  end
end
if number(most) > 0 and total > number(most) then
  return int(total)
end
redis.call('SET', name, bundle, 'EX', int(ttl))
redis.call('HSET', sizes, own, #bundle)
redis.call('EXPIRE', sizes, int(ttl))
return int(total)
