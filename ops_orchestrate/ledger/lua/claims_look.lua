-- The claims on these findings: answers field and claim of each that is claimed. Keys: claims, run:RUN of their owners. Args: fields, a line each.
local fields, answer = {}, {}
for field in string.gmatch(ARGV[1], '([^' .. LINE .. ']+)' .. LINE) do
  fields[#fields + 1] = field
end
for i = 1, #fields, AT_ONCE do
  local last = math.min(i + AT_ONCE - 1, #fields)
  local claimed = redis.call('HMGET', key('claims'), unpack(fields, i, last))
  for j = i, last do
    if claimed[j - i + 1] and owner_of(claimed[j - i + 1]) then
      answer[#answer + 1] = fields[j]
      answer[#answer + 1] = claimed[j - i + 1]
    end
  end
end
return answer
