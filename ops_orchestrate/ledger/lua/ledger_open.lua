-- once
-- Notices a new epoch or a restarted server and keeps admission quiet for a while.
-- Keys: board. Args: server's run id ('' unknown), quiet seconds, a new epoch's id.
local server, quiet, epoch = ARGV[1], number(ARGV[2]), ARGV[3]
local board = key('board')
local known = redis.call('HMGET', board, 'epoch', 'server')
if known[1] and (server == '' or known[2] == server) then
  return 0
end
if not known[1] then
  redis.call('HSET', board, 'epoch', epoch, 'version', 0)
end
redis.call('HSET', board, 'server', server, 'quiet_until', seconds(NOW + quiet))
return 1
