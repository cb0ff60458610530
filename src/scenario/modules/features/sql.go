package feature

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
)

// Store runs queries in transactions.
type Store struct{ db *sql.DB }

// Open returns a store that speaks to a driver.
func Open(connector driver.Connector) *Store {
	return &Store{db: sql.OpenDB(connector)}
}

// InTransaction runs work and commits, or rolls everything back.
func (s *Store) InTransaction(ctx context.Context, work func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := work(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// Count asks how many rows a table has.
func (s *Store) Count(ctx context.Context, table string) (count int64, err error) {
	err = s.db.QueryRowContext(ctx, "SELECT count(*) FROM "+table).Scan(&count)
	return count, err
}

// Close releases the connections.
func (s *Store) Close() error { return s.db.Close() }
