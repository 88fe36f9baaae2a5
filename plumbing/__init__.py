"""What every role needs: settings, clock, bus, address guard, evidence, logging. No domain."""
