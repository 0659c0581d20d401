-- once
-- Takes findings for a run: all of them, or none and nothing is changed. Answers those that another run has, as field and value.
-- Keys: claims, run:RUN of owners, task:RUN:TASK of those that are taken over. Args: run, number of `over`, their members,
--       then the items, a line each: field, claim (JSON: run, task, cause; left: run, task, head).
local run = ARGV[1]
local claims = key('claims')
local over_count = tonumber(ARGV[2])
local over_ = {}
for i = 3, 2 + over_count do
  over_[ARGV[i]] = true
end

-- The task and its parts, where its claims may be taken over; else nil.
local function given_up(owner)
  if not over_[owner.run .. '/' .. owner.task] then
    return nil
  end
  local all = { load_task(owner.run, owner.task) }
  for part in string.gmatch(all[1] and all[1].parts or '', '%S+') do
    all[#all + 1] = load_task(owner.run, part)
  end
  for _, t in ipairs(all) do
    if in_flight(t) then
      return nil -- it was started since the caller looked: two agents on one defect is what claims prevent
    end
  end
  return all
end

local function cancel(all)
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
end

-- First only look: what was taken in part could not be told from what the run had before, by whoever tries again.
local refused, taken_over, looked_at = {}, {}, {}
local items = halves(ARGV[3 + over_count])
for first = 1, #items, AT_ONCE do
  local fields = {}
  for i = first, math.min(first + AT_ONCE, #items + 1) - 2, 2 do
    fields[#fields + 1] = items[i]
  end
  local claimed = redis.call('HMGET', claims, unpack(fields))
  for n, field in ipairs(fields) do
    local owner = claimed[n] and owner_of(claimed[n])
    if owner and owner.run ~= run then
      local name = owner.run .. '/' .. owner.task
      if looked_at[name] == nil then
        looked_at[name] = given_up(owner) or false
        taken_over[#taken_over + 1] = looked_at[name] or nil
      end
      if not looked_at[name] then
        refused[#refused + 1] = field
        refused[#refused + 1] = claimed[n]
      end
    end
  end
end
if #refused > 0 then
  return refused
end
for _, all in ipairs(taken_over) do
  cancel(all)
end
in_batches('HSET', claims, items)
return {}
