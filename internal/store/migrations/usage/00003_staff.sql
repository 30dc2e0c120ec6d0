-- +goose Up
-- Usage is as it was; the number keeps both files of a data directory in step.
SELECT 1;
