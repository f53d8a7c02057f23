-- How far a replica is behind its primary, in seconds. While the primary is idle, all that was received is replayed: no lag. A replica that
-- receives nothing may lack every commit since the last one that it replayed. Any role sees whether there is a receiver.
SELECT pg_is_in_recovery() AS replica, receives,
       CASE WHEN receives AND pg_last_wal_replay_lsn() >= pg_last_wal_receive_lsn() THEN 0
            ELSE greatest(0, extract(epoch FROM clock_timestamp() - coalesce(pg_last_xact_replay_timestamp(), pg_postmaster_start_time())))
       END::float8 AS seconds
FROM (SELECT EXISTS (SELECT FROM pg_stat_wal_receiver) AS receives) AS receiver
