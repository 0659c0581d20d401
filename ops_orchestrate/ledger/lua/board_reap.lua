-- once
-- Looks at everything in flight whose lease has ended or that nobody claimed, and repairs the ledger's side of it.
-- Where nobody has looked for a while, everybody was away or the clock has jumped: a holder that is alive may not have been
-- able to renew, so each lease is spared for one more, once. What a clock that went back has made too long is cut.
-- Whoever has a slot comes first: others wait for that, and behind a long queue of a later stage it would be found late.
-- Keys: board, watch, hosts_until, task:RUN:TASK, attempt:…, slots, owners, events.
-- Args: grant timeout, redeliveries at most, how many to look at, the length of a lease, after how long a look is late.
-- Answers flat: run, task, attempt, fence, seq, stage, what.
local timeout, limit, batch = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local lease, late = number(ARGV[4]), number(ARGV[5])
local last = number(get(key('board'), 'reaped_at'))
local since_last = last > 0 and NOW - last or 0
redis.call('HSET', key('board'), 'reaped_at', STAMP)
local found = {}

local function lease_until(t, moment)
  put(t, 'lease_until', seconds(moment))
  redis.call('ZADD', key('watch'), t.lease_until, t.member)
  if t.slot ~= '' then
    write_hold(t)
  end
end

local function spared(t)
  if lease == 0 or since_last <= late or t.spared == '1' then
    return false
  end
  put(t, 'spared', '1')
  lease_until(t, NOW + lease)
  return true
end

local function cut(t, score)
  if t.phase == 'claimed' and number(t.lease_until) > NOW + lease then
    lease_until(t, NOW + lease)
  elseif t.phase ~= 'claimed' and score > NOW then
    redis.call('ZADD', key('watch'), STAMP, t.member)
  end
end

local function report(t, what)
  for _, value in ipairs({ t.run, t.task, t.attempt, t.fence, t.seq, t.stage, what }) do
    found[#found + 1] = value
  end
end

local function record_lost(t, summary)
  local outcome = object('kind', '"lost"', 'summary', str(summary), 'head', str(t.head))
  redis.call('HSET', attempt_key(t), 'outcome', outcome)
  if stop_of(t) ~= '' then
    uncount(t)
  end
end

local function ungranted(t)
  local attempt, back = t.attempt, t.came_from
  settle_money(t, '0', '0')
  release_hold(t)
  move(t, back)
  leave_flight(t)
  report(t, 'ungranted')
  put(t, 'attempt', int(number(attempt) - 1), 'stage', '')
  offer(t)
  reconsider(t)
end

local function lost(t)
  settle_money(t, '', '')
  release_hold(t)
  record_lost(t, 'Its worker or host vanished: the lease ended.')
  redis.call('HSET', attempt_key(t), 'ended_at', STAMP)
  local spent = NOW - number(get(attempt_key(t), 'started_at'))
  task_event(t, 'attempt.ended', object('outcome', '"lost"', 'summary', str('Its worker or host vanished.'), 'head', '""',
    'seconds', seconds(spent), 'cost_usd', 'null', 'tokens', 'null'))
  over(t)
  reconsider(t)
  report(t, 'lost')
end

local function stage_ended(t)
  settle_money(t, '', '')
  release_hold(t)
  local tries = number(t.tries) + 1
  task_event(t, 'stage.lost', object('stage', str(t.stage), 'why', '"the lease ended"'))
  if tries > limit then
    record_lost(t, 'The stage ' .. t.stage .. ' lost its worker ' .. int(tries) .. ' times.')
    over(t)
    report(t, 'settle')
    return
  end
  next_seq(t)
  open_stage(t, t.stage)
  put(t, 'tries', int(tries))
  report(t, 'republish')
end

-- A stage in a long queue is not lost: what was published before stays valid (no new floor), the wait doubles.
local function unclaimed(t)
  local waits = number(t.waits) + 1
  put(t, 'seq', int(number(t.seq) + 1), 'waits', int(waits))
  redis.call('ZADD', key('watch'), STAMP, t.member)
  task_event(t, 'stage.lost', object('stage', str(t.stage), 'why', '"nobody claimed it"'))
  report(t, 'republish')
end

local function look(t, since)
  local waited = NOW - since
  if t.phase == 'granted' and waited >= timeout then
    ungranted(t)
  elseif t.phase == 'claimed' and NOW >= number(t.lease_until) then
    if spared(t) then
      return
    elseif t.stage == 'implement' then
      lost(t)
    else
      stage_ended(t)
    end
  elseif t.phase == 'open' and waited >= timeout * 2 ^ math.min(6, number(t.waits) + 1) then
    unclaimed(t)
  elseif t.phase == 'over' and waited >= timeout then
    redis.call('ZADD', key('watch'), STAMP, t.member)
    report(t, 'settle')
  end
end

-- Who was to be woken at a time is woken as soon as by the clock that it was given by.
local function wake_sooner(name, score)
  local t = load_task(string.match(name, '^([^/]*)/(.*)$'))
  if t and in_flight(t) and t.phase == 'snoozed' then -- else it waits for a quota, and that comes back by the world's clock
    put(t, 'wake_at', seconds(score + since_last))
    redis.call('ZADD', key('snoozes'), t.wake_at, name)
  end
end

if lease > 0 and since_last < 0 then
  local snoozes = redis.call('ZRANGE', key('snoozes'), 0, -1, 'WITHSCORES')
  for i = 1, #snoozes, 2 do
    wake_sooner(snoozes[i], tonumber(snoozes[i + 1]))
  end
  local all = redis.call('ZRANGE', key('watch'), 0, -1, 'WITHSCORES')
  for i = 1, #all, 2 do
    local t = load_task(string.match(all[i], '^([^/]*)/(.*)$'))
    if t and in_flight(t) then
      cut(t, tonumber(all[i + 1]))
    end
  end
  -- A machine that has ended is not taken for alive, and nothing is kept quiet, for longer than that either.
  for _, name in ipairs(redis.call('ZRANGEBYSCORE', key('hosts_until'), '(' .. seconds(NOW + lease), '+inf')) do
    redis.call('ZADD', key('hosts_until'), seconds(NOW + lease), name)
  end
  if number(get(key('board'), 'quiet_until')) > NOW + lease then
    redis.call('HSET', key('board'), 'quiet_until', seconds(NOW + lease))
  end
end

local looked_at = {}
local function look_once(name, since)
  if looked_at[name] then
    return
  end
  looked_at[name] = true
  local t = load_task(string.match(name, '^([^/]*)/(.*)$'))
  if t and in_flight(t) then
    look(t, since)
  else
    redis.call('ZREM', key('watch'), name)
  end
end

local due = redis.call('ZRANGEBYSCORE', key('watch'), '-inf', STAMP, 'WITHSCORES', 'LIMIT', 0, batch)
for _, text in ipairs(redis.call('HVALS', key('slots'))) do
  local slot = cjson.decode(text)
  local since = tonumber(redis.call('ZSCORE', key('watch'), slot.run .. '/' .. slot.task) or '')
  if since and since <= NOW then
    look_once(slot.run .. '/' .. slot.task, since)
  end
end
for i = 1, #due, 2 do
  look_once(due[i], tonumber(due[i + 1]))
end
return found
