-- The whole board in one picture. Its cost grows with the candidates asked for, not with tasks or repositories.
-- Keys: board, slots, owners, candidate_heads, candidates:REPO, cards, unmerged, repo_work, hosts, parked, seats. Args: candidates at most.
local limit = tonumber(ARGV[1])
local repos = redis.call('ZRANGE', key('candidate_heads'), 0, limit - 1)
-- From every repository its best: one crowded repository must not hide the others.
local each = math.max(5, math.ceil(limit / math.max(1, #repos)))
local found = {}
for _, repo in ipairs(repos) do
  local scored = redis.call('ZRANGE', key('candidates', repo), 0, each - 1, 'WITHSCORES')
  for i = 1, #scored, 2 do
    found[#found + 1] = { scored[i], tonumber(scored[i + 1]) }
  end
end
table.sort(found, function(a, b)
  if a[2] ~= b[2] then
    return a[2] < b[2]
  end
  return a[1] < b[1]
end)
local candidates = {}
for i = 1, math.min(limit, #found) do
  local card = redis.call('HGET', key('cards'), found[i][1])
  if card then
    candidates[#candidates + 1] = found[i][1]
    candidates[#candidates + 1] = card
  end
end
-- What is left in the repositories of the picture: with no other one is anything compared.
local work = {}
if #repos > 0 then
  local left = redis.call('HMGET', key('repo_work'), unpack(repos))
  for i, repo in ipairs(repos) do
    if left[i] then
      work[#work + 1] = repo
      work[#work + 1] = left[i]
    end
  end
end
local hosts = {}
for _, name in ipairs(redis.call('ZRANGEBYSCORE', key('hosts_until'), '(' .. STAMP, '+inf')) do
  hosts[#hosts + 1] = redis.call('HGET', key('hosts'), name) or '{}'
end
local board = redis.call('HMGET', key('board'), 'version', 'quiet_until', 'born', 'epoch', 'server')
local noticed = board[4] and not is_successor(board[5])
return { board[1] or '0', STAMP, board[2] or '0', board[3] or '0', redis.call('HGETALL', key('parked')), redis.call('HVALS', key('slots')), redis.call('HVALS', key('owners')),
  candidates, redis.call('HGETALL', key('unmerged')), work, hosts, seats_wanted(), noticed and 1 or 0 }
