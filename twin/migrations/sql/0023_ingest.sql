-- Reserved for this version's owner (session 4).
SELECT 1;
