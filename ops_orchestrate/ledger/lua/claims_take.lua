-- once
-- Takes findings for a run; answers those that another run has, as field and value.
-- Keys: claims, task:RUN:TASK of owners that are taken over. Args: run, number of `over`, their members,
--       then per item: field, task, cause.
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
for i = 3 + over_count, #ARGV, 3 do
  local field, task, cause = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local old = redis.call('HGET', claims, field)
  local owner = old and cjson.decode(old)
  if owner and owner.run ~= run and not taken_over(owner) then
    refused[#refused + 1] = field
    refused[#refused + 1] = old
  else
    redis.call('HSET', claims, field, object('run', str(run), 'task', str(task), 'cause', str(cause)))
  end
end
return refused
