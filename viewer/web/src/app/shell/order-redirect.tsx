/** `/orders/:id`, as links in messages have it: to the order in its building. */
import { Spin } from "antd";
import type { ReactNode } from "react";
import { Navigate, useParams } from "react-router";
import { Failure } from "../parts";
import { useOrder } from "../queries";

export default function OrderRedirect(): ReactNode {
  const { order = "" } = useParams();
  const query = useOrder(order);
  if (query.data) return <Navigate to={`/b/${query.data.building_id}/orders/${order}`} replace />;
  return (
    <div className="center tall">
      {query.isError ? <Failure error={query.error} retry={() => void query.refetch()} /> : <Spin />}
    </div>
  );
}
