-- The second part of the prelude: purses (what was spent, what is reserved for attempts under way) and parked accounts.
-- Amounts are whole tokens and whole microdollars. -1 stands for "no limit", '' for "nobody knows".

local DAYS_KEPT = 100 * 86400

local function purses_of(t, reserve)
  local whole = reserve.task or '' -- a part is paid from the purse of the task that it is a part of
  local names = { whole ~= '' and whole or 'task:' .. t.member, 'run:' .. t.run, 'day:' .. reserve.day }
  if reserve.project ~= '' then
    names[4] = 'project:' .. reserve.day .. ':' .. reserve.project
  end
  return names
end

local function pay(name, field, amount)
  if amount ~= 0 then
    redis.call('HINCRBY', key('money', name), field, int(amount))
  end
end

local function is_parked(account)
  return NOW < number(get(key('parked'), account))
end

-- Whether the reserve still fits under each of its caps, and one of its accounts has quota.
local function affordable(reserve)
  if NOW >= reserve.day_ends then
    return false -- another day has begun since somebody looked
  end
  local parked = #reserve.accounts > 0
  for _, account in ipairs(reserve.accounts) do
    parked = parked and is_parked(account)
  end
  if parked then
    return false
  end
  for _, limit in ipairs(reserve.limits) do
    local purse = redis.call('HMGET', key('money', limit.purse), 'tokens', 'reserved_tokens', 'uncounted', 'micros',
      'reserved_micros', 'unpriced')
    for i, unit in ipairs({ 'tokens', 'micros' }) do
      local used, reserved, unknown = number(purse[3 * i - 2] or ''), number(purse[3 * i - 1] or ''), number(purse[3 * i] or '')
      local each = math.max(0, reserve.each[unit])
      if limit[unit] >= 0 and used + reserved + unknown * each + math.max(0, reserve[unit]) > limit[unit] then
        return false
      end
    end
  end
  return true
end

local function set_aside(t, reserve, text)
  redis.call('HSET', t.key, 'reserve', text)
  for _, name in ipairs(purses_of(t, reserve)) do
    pay(name, 'reserved_tokens', math.max(0, reserve.tokens))
    pay(name, 'reserved_micros', math.max(0, reserve.micros))
  end
end

-- The attempt's part of every purse, once: what it used; where nobody knows, what was set aside for it, and where nothing
-- was, that it is not known.
local function settle_money(t, tokens, micros)
  local text = get(t.key, 'reserve')
  if text == '' then
    return
  end
  redis.call('HDEL', t.key, 'reserve')
  local reserve = cjson.decode(text)
  for _, name in ipairs(purses_of(t, reserve)) do
    for unit, used in pairs({ tokens = tokens, micros = micros }) do
      pay(name, 'reserved_' .. unit, -math.max(0, reserve[unit]))
      if used == '' and reserve[unit] < 0 then
        pay(name, unit == 'tokens' and 'uncounted' or 'unpriced', 1)
      else
        local amount = used == '' and reserve[unit] or number(used)
        pay(name, unit, amount)
        pay(name, 'review_' .. unit, t.stage == 'review' and amount or 0)
      end
    end
  end
  redis.call('EXPIRE', key('money', 'day:' .. reserve.day), DAYS_KEPT)
  if reserve.project ~= '' then
    redis.call('EXPIRE', key('money', 'project:' .. reserve.day .. ':' .. reserve.project), DAYS_KEPT)
  end
end

-- Nothing is admitted for the account before `till`; an earlier, longer word stands.
local function park(t, account, till)
  if account == '' or till <= math.max(NOW, number(get(key('parked'), account))) then
    return
  end
  redis.call('HSET', key('parked'), account, seconds(till))
  task_event(t, 'account.parked', object('account', str(account), 'until', seconds(till)))
end
