-- once
-- Takes findings for a run; answers those that another run has, as field and value.
-- Keys: claims, task:RUN:TASK of owners that are taken over. Args: run, number of `over`, their members,
--       then per item: field, claim (JSON: run, task, cause).
local BATCH = 1000 -- many at a time: a large plan takes a hundred thousand findings, in this one step
local run = ARGV[1]
local claims = key('claims')
local over_count = tonumber(ARGV[2])
local over_ = {}
for i = 3, 2 + over_count do
  over_[ARGV[i]] = true
end

local function taken_over(owner)
  if not over_[owner.run .. '/' .. owner.task] then
    return false
  end
  local all = { load_task(owner.run, owner.task) }
  for part in string.gmatch(all[1] and all[1].parts or '', '%S+') do
    all[#all + 1] = load_task(owner.run, part)
  end
  for _, t in ipairs(all) do
    if in_flight(t) then
      return false -- it was started since the caller looked: two agents on one defect is what claims prevent
    end
  end
  for _, t in ipairs(all) do
    if startable(t) or t.state == 'blocked' then
      withdraw(t)
      move(t, 'cancelled')
      local reason = 'taken over by run ' .. run
      put(t, 'reason', reason, 'ask', '')
      redis.call('HDEL', key('unmerged'), t.member)
      settled_event(t, reason, '')
    end
  end
  return true
end

local refused = {}
for first = 3 + over_count, #ARGV, 2 * BATCH do
  local fields, taken = {}, {}
  for i = first, math.min(first + 2 * BATCH, #ARGV + 1) - 2, 2 do
    fields[#fields + 1] = ARGV[i]
  end
  local claimed = redis.call('HMGET', claims, unpack(fields))
  for n, field in ipairs(fields) do
    local owner = claimed[n] and cjson.decode(claimed[n])
    if owner and owner.run ~= run and not taken_over(owner) then
      refused[#refused + 1] = field
      refused[#refused + 1] = claimed[n]
    else
      taken[#taken + 1] = field
      taken[#taken + 1] = ARGV[first + 2 * n - 1]
    end
  end
  if #taken > 0 then
    redis.call('HSET', claims, unpack(taken))
  end
end
return refused
