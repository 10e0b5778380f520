/** Reads and writes of issues. */
import { useQuery, type InfiniteData, type UseInfiniteQueryResult, type UseQueryResult } from "@tanstack/react-query";
import { get, type Query } from "../../api/client";
import type { Page } from "../../api/types";
import type { components } from "../../api/schema.gen";
import { usePaged } from "../queries";

type Schemas = components["schemas"];
export type Issue = Schemas["TopicRow"];
export type IssueDetail = Schemas["TopicDetail"];
export type IssueViewpoint = Schemas["ViewpointRow"];
export type NewView = Schemas["NewView"];
export type BcfReport = Schemas["BcfReport"];

export const useIssues = (query: Query): UseInfiniteQueryResult<InfiniteData<Page<Issue>>> => usePaged<Issue>(["issues", query], "/topics", query);

export const useIssue = (id: string | null): UseQueryResult<IssueDetail> =>
  useQuery({ queryKey: ["issue", id], queryFn: ({ signal }) => get<IssueDetail>(`/topics/${id}`, {}, signal), enabled: id !== null });

export const STATUSES = ["Open", "InProgress", "Solved", "Closed"] as const;
export const PRIORITIES = ["Low", "Normal", "High", "Critical"] as const;
export const TYPES = ["Issue", "Clash", "Remark", "Request"] as const;
